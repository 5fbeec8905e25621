SELECT c_custkey, c_name, CAST(sum(l_extendedprice * (1 - l_discount)) AS DECIMAL(30,4)) AS revenue, c_acctbal, n_name,
  c_phone
FROM {customer} JOIN {orders} ON c_custkey = o_custkey JOIN {lineitem} ON l_orderkey = o_orderkey
JOIN {nation} ON c_nationkey = n_nationkey
WHERE o_orderdate >= DATE'1993-10-01' AND o_orderdate < add_months(DATE'1993-10-01', 3) AND l_returnflag = 'R'
GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name ORDER BY revenue DESC, c_custkey LIMIT 20
