SELECT s_name, count(*) AS waits FROM {supplier} JOIN {lineitem} l ON s_suppkey = l.l_suppkey
JOIN {orders} ON o_orderkey = l.l_orderkey JOIN {nation} ON s_nationkey = n_nationkey
WHERE o_orderstatus = 'F' AND l.l_receiptdate > l.l_commitdate AND n_name = 'SAUDI ARABIA'
  AND EXISTS (SELECT 1 FROM {lineitem} a WHERE a.l_orderkey = l.l_orderkey AND a.l_suppkey <> l.l_suppkey)
  AND NOT EXISTS (SELECT 1 FROM {lineitem} b WHERE b.l_orderkey = l.l_orderkey AND b.l_suppkey <> l.l_suppkey
    AND b.l_receiptdate > b.l_commitdate)
GROUP BY s_name ORDER BY waits DESC, s_name LIMIT 100
