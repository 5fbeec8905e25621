SELECT 100.0D * sum(CASE WHEN p_type LIKE 'PROMO%' THEN CAST(l_extendedprice * (1 - l_discount) AS DOUBLE) ELSE 0.0D END)
  / sum(CAST(l_extendedprice * (1 - l_discount) AS DOUBLE)) AS promotion_share
FROM {lineitem} JOIN {part} ON l_partkey = p_partkey
WHERE l_shipdate >= DATE'1995-09-01' AND l_shipdate < DATE'1995-09-01' + INTERVAL 1 MONTH
