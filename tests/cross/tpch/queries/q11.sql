WITH stock AS (
  SELECT ps_partkey, CAST(sum(ps_supplycost * ps_availqty) AS DOUBLE) AS worth
  FROM {partsupp} JOIN {supplier} ON ps_suppkey = s_suppkey JOIN {nation} ON s_nationkey = n_nationkey
  WHERE n_name = 'GERMANY' GROUP BY ps_partkey
)
SELECT ps_partkey, worth FROM stock WHERE worth > (SELECT sum(worth) * 0.001D FROM stock) ORDER BY worth DESC, ps_partkey
