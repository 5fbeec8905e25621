SELECT l_returnflag, l_linestatus, CAST(sum(l_quantity) AS DECIMAL(25,2)) AS quantity,
  CAST(sum(l_extendedprice) AS DECIMAL(25,2)) AS price,
  CAST(sum(l_extendedprice * (1 - l_discount)) AS DECIMAL(30,4)) AS discounted,
  avg(CAST(l_quantity AS DOUBLE)) AS mean_quantity, avg(CAST(l_discount AS DOUBLE)) AS mean_discount, count(*) AS lines
FROM {lineitem} WHERE l_shipdate <= DATE'1998-12-01' - INTERVAL 90 DAYS
GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus
