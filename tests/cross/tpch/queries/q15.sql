WITH revenue AS (
  SELECT l_suppkey AS supplier_no, CAST(sum(l_extendedprice * (1 - l_discount)) AS DECIMAL(30,4)) AS total
  FROM {lineitem} WHERE l_shipdate >= DATE'1996-01-01' AND l_shipdate < DATE'1996-04-01' GROUP BY l_suppkey
)
SELECT s_suppkey, s_name, s_phone, CAST(total AS DECIMAL(30,4)) AS total FROM {supplier} JOIN revenue ON s_suppkey = supplier_no
WHERE total = (SELECT max(total) FROM revenue) ORDER BY s_suppkey
