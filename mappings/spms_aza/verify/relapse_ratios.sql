-- Year 2 against the year before and against year 1, and year 1 against the year before, among completers: the ratio of the
-- rates, and the exact test given the sum of relapses. Given that sum, those of the later year are binomial with its share of
-- the person-years; the p-value is the probability of all counts that are no more probable than the one seen.
WITH compared(level, LATER, EARLIER) AS (
    VALUES ('1', 'YEAR 2', 'PRE'), ('4', 'YEAR 1', 'PRE'), ('6', 'YEAR 2', 'YEAR 1')
),
total AS (
    SELECT APERIODC, sum(AVAL) AS EVENTS, sum(PYRS) AS YEARS FROM RELAPSE_YEARS WHERE COMPLETED GROUP BY APERIODC
),
pair AS (
    SELECT level, L.EVENTS AS SEEN, L.EVENTS + E.EVENTS AS ALL_EVENTS,
           L.YEARS / (L.YEARS + E.YEARS) AS SHARE,
           (L.EVENTS / L.YEARS) / (E.EVENTS / E.YEARS) AS estimate
    FROM compared
    LEFT JOIN total L ON L.APERIODC = LATER
    LEFT JOIN total E ON E.APERIODC = EARLIER
),
outcome AS (
    SELECT pair.*, K,
           exp(lgamma(ALL_EVENTS + 1) - lgamma(K + 1) - lgamma(ALL_EVENTS - K + 1)
               + K * ln(SHARE) + (ALL_EVENTS - K) * ln(1 - SHARE)) AS PROBABILITY
    FROM pair, unnest(range(0, CAST(ALL_EVENTS AS BIGINT) + 1)) AS counts(K)
),
tested AS (
    SELECT level, any_value(estimate) AS estimate,
           CASE WHEN count(K) > 0
                THEN least(1, sum(PROBABILITY) FILTER (PROBABILITY <= AT_SEEN * (1 + 1e-7))) END AS p_value
    FROM (SELECT *, max(PROBABILITY) FILTER (K = SEEN) OVER (PARTITION BY level) AS AT_SEEN FROM outcome)
    RIGHT JOIN compared USING (level)  -- before anybody completed, a comparison has neither ratio nor p-value
    GROUP BY level
)
FROM tested UNPIVOT INCLUDE NULLS (value FOR statistic IN (estimate, p_value))
