SELECT supplier_nation, customer_nation, l_year, CAST(sum(volume) AS DECIMAL(30,4)) AS revenue FROM (
  SELECT a.n_name AS supplier_nation, b.n_name AS customer_nation, year(l_shipdate) AS l_year,
    l_extendedprice * (1 - l_discount) AS volume
  FROM {supplier} JOIN {lineitem} ON s_suppkey = l_suppkey JOIN {orders} ON o_orderkey = l_orderkey
  JOIN {customer} ON c_custkey = o_custkey JOIN {nation} a ON s_nationkey = a.n_nationkey
  JOIN {nation} b ON c_nationkey = b.n_nationkey
  WHERE (a.n_name = 'FRANCE' AND b.n_name = 'GERMANY' OR a.n_name = 'GERMANY' AND b.n_name = 'FRANCE')
    AND l_shipdate BETWEEN DATE'1995-01-01' AND DATE'1996-12-31'
) shipping GROUP BY supplier_nation, customer_nation, l_year ORDER BY supplier_nation, customer_nation, l_year
