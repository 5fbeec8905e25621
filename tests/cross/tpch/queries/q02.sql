WITH offers AS (
  SELECT ps_partkey, ps_supplycost, s_name, s_acctbal, n_name
  FROM {partsupp} JOIN {supplier} ON ps_suppkey = s_suppkey JOIN {nation} ON s_nationkey = n_nationkey
  JOIN {region} ON n_regionkey = r_regionkey WHERE r_name = 'EUROPE'
)
SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr
FROM {part} p JOIN offers o ON p_partkey = ps_partkey
WHERE p_type LIKE '%BRASS' AND p_size < 25
  AND ps_supplycost = (SELECT min(i.ps_supplycost) FROM offers i WHERE i.ps_partkey = p.p_partkey)
ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100
