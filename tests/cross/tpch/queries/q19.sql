SELECT CAST(sum(l_extendedprice * (1 - l_discount)) AS DECIMAL(30,4)) AS revenue FROM {lineitem} JOIN {part} ON p_partkey = l_partkey
WHERE l_shipinstruct = 'DELIVER IN PERSON' AND l_shipmode IN ('AIR', 'REG AIR') AND (
  p_brand = 'Brand#12' AND p_container LIKE 'SM%' AND l_quantity BETWEEN 1 AND 30 AND p_size BETWEEN 1 AND 15
  OR p_brand = 'Brand#23' AND p_container LIKE 'MED%' AND l_quantity BETWEEN 10 AND 40 AND p_size BETWEEN 1 AND 20
  OR p_brand = 'Brand#34' AND p_container LIKE 'LG%' AND l_quantity BETWEEN 20 AND 50 AND p_size BETWEEN 1 AND 30)
