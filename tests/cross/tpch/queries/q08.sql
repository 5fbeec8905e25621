SELECT o_year, sum(CASE WHEN nation = 'CHINA' THEN volume ELSE 0.0D END) / sum(volume) AS share FROM (
  SELECT year(o_orderdate) AS o_year, CAST(l_extendedprice AS DOUBLE) * (1 - CAST(l_discount AS DOUBLE)) AS volume,
    b.n_name AS nation
  FROM {part} JOIN {lineitem} ON p_partkey = l_partkey JOIN {supplier} ON s_suppkey = l_suppkey
  JOIN {orders} ON l_orderkey = o_orderkey JOIN {customer} ON o_custkey = c_custkey
  JOIN {nation} a ON c_nationkey = a.n_nationkey JOIN {region} ON a.n_regionkey = r_regionkey
  JOIN {nation} b ON s_nationkey = b.n_nationkey
  WHERE r_name = 'AMERICA' AND o_orderdate BETWEEN DATE'1995-01-01' AND DATE'1996-12-31' AND p_type LIKE 'ECONOMY%'
) volumes GROUP BY o_year ORDER BY o_year
