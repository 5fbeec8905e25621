WITH idle AS (
  SELECT substring(c_phone, 1, 2) AS code, c_acctbal, c_custkey FROM {customer}
  WHERE substring(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')
)
SELECT code, count(*) AS customers, CAST(sum(c_acctbal) AS DECIMAL(25,2)) AS balance FROM idle i
WHERE CAST(c_acctbal AS DOUBLE) > (SELECT avg(CAST(c_acctbal AS DOUBLE)) FROM idle WHERE c_acctbal > 0.00)
  AND NOT EXISTS (SELECT 1 FROM {orders} WHERE o_custkey = i.c_custkey)
GROUP BY code ORDER BY code
