SELECT sum(CAST(l_extendedprice AS DOUBLE)) / 7.0D AS yearly FROM {lineitem} l JOIN {part} ON p_partkey = l_partkey
WHERE p_brand LIKE 'Brand#2%' AND CAST(l_quantity AS DOUBLE) <
  (SELECT 0.3D * avg(CAST(i.l_quantity AS DOUBLE)) FROM {lineitem} i WHERE i.l_partkey = l.l_partkey)
