-- The endpoint: change of the systolic pressure at week 12 by the arm assigned, and its difference (candesartan minus
-- amlodipine) with Welch's t test. P is the area of Student's t beyond |t|, by Simpson's rule from 0 to |t|.
-- An arm in which nobody has come so far counts nobody, and nothing is compared.
WITH planned AS (SELECT DISTINCT ARM FROM TA),
change AS (
    SELECT ARM, CHG
    FROM ANALYSED
    JOIN TREATMENT USING (USUBJID)
    WHERE RANDOMISED AND ARM IS NOT NULL AND PARAMCD = 'SYSBP' AND AVISIT = 'Week 12' AND CHG IS NOT NULL
),
arm AS (
    SELECT ARM, CAST(count(CHG) AS DOUBLE) AS n, avg(CHG) AS mean, stddev_samp(CHG) AS sd,
           var_samp(CHG) / count(CHG) AS ERROR
    FROM planned
    LEFT JOIN change USING (ARM)
    GROUP BY ARM
),
welch AS (
    SELECT C.ARM AS ARM, C.mean - A.mean AS DIFFERENCE,
           abs(C.mean - A.mean) / sqrt(C.ERROR + A.ERROR) AS T,
           (C.ERROR + A.ERROR) ** 2 / (C.ERROR ** 2 / (C.n - 1) + A.ERROR ** 2 / (A.n - 1)) AS FREEDOM
    FROM arm C
    JOIN arm A ON C.ARM LIKE 'Candesartan%' AND A.ARM LIKE 'Amlodipine%'
),
area AS (
    SELECT any_value(ARM) AS ARM, CASE WHEN count(T) > 0 THEN any_value(DIFFERENCE) END AS DIFFERENCE,
           1 - 2 * any_value(T) / 3000 * sum(CASE WHEN I IN (0, 1000) THEN 1 WHEN I % 2 = 1 THEN 4 ELSE 2 END
               * exp(lgamma((FREEDOM + 1) / 2) - lgamma(FREEDOM / 2)) / sqrt(FREEDOM * pi())
               * (1 + (T * I / 1000) ** 2 / FREEDOM) ** (-(FREEDOM + 1) / 2)) AS P
    FROM welch, range(0, 1001) AS step(I)
)
SELECT ARM AS "group", 'CHG' AS variable, statistic, value
FROM (FROM (SELECT ARM, n, mean, sd FROM arm) UNPIVOT INCLUDE NULLS (value FOR statistic IN (n, mean, sd)))
UNION ALL
SELECT ARM, 'mean_difference', 'estimate', DIFFERENCE FROM area
UNION ALL
SELECT ARM, 'welch_t', 'p_value', P FROM area
