-- Page's L of the EDSS at baseline, 12 and 24 months among completers with all three, and its exact p-values.
-- After the first dose an examination belongs to the planned one that is nearest (midway: the later); of several the nearest
-- counts (equally near: the later). L = sum over visits of place times sum of the patients' mid-ranks. Under no trend
-- each patient's ranks come in any of six orders: the distribution of L is the convolution over patients.
WITH RECURSIVE planned(TARGET) AS (VALUES (91), (183), (274), (365), (456), (548), (639), (730)),
placed AS (
    SELECT USUBJID, QSSEQ, DAY, SCORE, TARGET, abs(DAY - FIRST_DOSE + 1 - TARGET) AS FAR
    FROM EDSS, planned
    WHERE DAY > FIRST_DOSE
    QUALIFY row_number() OVER (PARTITION BY USUBJID, QSSEQ ORDER BY FAR, TARGET DESC) = 1
),
visit AS (
    SELECT USUBJID, CASE TARGET WHEN 365 THEN 2 ELSE 3 END AS PLACE, SCORE
    FROM placed
    WHERE TARGET IN (365, 730)
    QUALIFY row_number() OVER (PARTITION BY USUBJID, TARGET ORDER BY FAR, DAY DESC, QSSEQ DESC) = 1
    UNION ALL
    SELECT USUBJID, 1, SCORE FROM EDSS WHERE QSSEQ = BASELINE_SEQ
),
score AS (
    SELECT USUBJID, PLACE, round(SCORE, 1) AS SCORE
    FROM visit
    JOIN TREATMENT USING (USUBJID)
    WHERE COMPLETED
    QUALIFY count(*) OVER (PARTITION BY USUBJID) = 3
),
ranked AS (
    SELECT A.USUBJID, A.PLACE,
           count(*) FILTER (B.SCORE < A.SCORE) + (count(*) FILTER (B.SCORE = A.SCORE) + 1) / 2 AS RANK
    FROM score A
    JOIN score B USING (USUBJID)
    GROUP BY ALL
),
patient AS (
    SELECT USUBJID, row_number() OVER (ORDER BY USUBJID) AS NUMBER, sum(PLACE * RANK) AS L FROM ranked GROUP BY USUBJID
),
shuffled AS (
    SELECT NUMBER, A.RANK + 2 * B.RANK + 3 * C.RANK AS L
    FROM patient
    JOIN ranked A USING (USUBJID)
    JOIN ranked B USING (USUBJID)
    JOIN ranked C USING (USUBJID)
    WHERE A.PLACE <> B.PLACE AND A.PLACE <> C.PLACE AND B.PLACE <> C.PLACE
),
-- probability of each sum with the first NUMBER patients
reached(NUMBER, L, CHANCE) AS (
    SELECT 0::BIGINT, 0::DOUBLE, 1::DOUBLE
    UNION ALL
    SELECT shuffled.NUMBER, reached.L + shuffled.L, sum(CHANCE) / 6
    FROM reached
    JOIN shuffled ON shuffled.NUMBER = reached.NUMBER + 1
    GROUP BY ALL
),
seen AS (SELECT sum(L) AS L, count(*) AS PATIENTS FROM patient),
upper AS (
    SELECT seen.L, sum(CHANCE) FILTER (reached.L >= seen.L - 1e-9) AS P,
           sum(CHANCE) FILTER (reached.L <= seen.L + 1e-9) AS BELOW
    FROM reached, seen
    WHERE NUMBER = PATIENTS
    GROUP BY seen.L
)
SELECT 'page' AS variable, 'statistic' AS statistic, L AS value FROM upper
UNION ALL
SELECT 'page_increase', 'statistic', L FROM upper
UNION ALL
SELECT 'page_increase', 'p_value', P FROM upper
UNION ALL
SELECT 'page', 'p_value', CASE WHEN P IS NOT NULL THEN least(1, 2 * least(P, BELOW)) END FROM upper
