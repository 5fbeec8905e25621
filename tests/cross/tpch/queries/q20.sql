SELECT s_name, s_address FROM {supplier} JOIN {nation} ON s_nationkey = n_nationkey
WHERE n_name IN ('CANADA', 'CHINA', 'FRANCE') AND s_suppkey IN (
  SELECT ps_suppkey FROM {partsupp} p WHERE ps_partkey IN (SELECT p_partkey FROM {part} WHERE p_name LIKE 'f%')
    AND CAST(ps_availqty AS DOUBLE) > (
      SELECT 0.5D * sum(CAST(l_quantity AS DOUBLE)) FROM {lineitem}
      WHERE l_partkey = p.ps_partkey AND l_suppkey = p.ps_suppkey
        AND l_shipdate >= DATE'1994-01-01' AND l_shipdate < DATE'1995-01-01'))
ORDER BY s_name
