-- Patients with a systolic pressure below 140 mmHg at week 12 by the arm assigned, the difference of the percentages
-- (candesartan minus amlodipine) and Fisher's exact test: of all tables with these margins, those no more probable.
-- An arm in which nobody has come so far counts nobody, and nothing is compared.
WITH planned AS (SELECT DISTINCT ARM FROM TA),
patient AS (
    SELECT ARM, ARM LIKE 'Candesartan%' AS IS_FIRST, CRIT1FL = 'Y' AS MET
    FROM ANALYSED
    JOIN TREATMENT USING (USUBJID)
    WHERE RANDOMISED AND ARM IS NOT NULL AND PARAMCD = 'SYSBP' AND AVISIT = 'Week 12'
),
arm AS (
    SELECT ARM, CAST(count(*) FILTER (MET) AS DOUBLE) AS "count", 100.0 * avg(MET::INT) AS percent
    FROM planned
    LEFT JOIN patient USING (ARM)
    GROUP BY ARM
),
margins AS (
    SELECT (SELECT ARM FROM planned WHERE ARM LIKE 'Candesartan%') AS ARM,
           count(*) FILTER (IS_FIRST AND MET) AS SEEN, count(*) FILTER (IS_FIRST) AS FIRST, count(*) FILTER (MET) AS MET, count(*) AS N,
           100 * (avg(MET::INT) FILTER (IS_FIRST) - avg(MET::INT) FILTER (NOT IS_FIRST)) AS DIFFERENCE
    FROM patient
),
possible AS (
    SELECT margins.*, K,
           lgamma(FIRST + 1) - lgamma(K + 1) - lgamma(FIRST - K + 1)
           + lgamma(N - FIRST + 1) - lgamma(MET - K + 1) - lgamma(N - FIRST - MET + K + 1) AS LOG_WAYS
    FROM margins, unnest(range(0, least(FIRST, MET) + 1)) AS counts(K)
    WHERE MET - K <= N - FIRST
),
tested AS (
    SELECT any_value(ARM) AS ARM, any_value(DIFFERENCE) AS DIFFERENCE,
           CASE WHEN any_value(FIRST) > 0 AND any_value(N) > any_value(FIRST)
                THEN sum(exp(LOG_WAYS - MOST)) FILTER (LOG_WAYS <= AT_SEEN + 1e-7) / sum(exp(LOG_WAYS - MOST)) END AS P
    FROM (SELECT *, max(LOG_WAYS) FILTER (K = SEEN) OVER () AS AT_SEEN, max(LOG_WAYS) OVER () AS MOST FROM possible)
)
SELECT ARM AS "group", 'proportion' AS variable, statistic, value
FROM (FROM arm UNPIVOT INCLUDE NULLS (value FOR statistic IN ("count", percent)))
UNION ALL
SELECT ARM, 'newcombe', 'estimate', DIFFERENCE FROM tested
UNION ALL
SELECT ARM, 'fisher', 'p_value', P FROM tested
