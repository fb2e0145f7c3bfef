-- Class of each patient by all of his samples in order of time (sap.md, antibodies). Positive is a titre of 1:20 or more; in the
-- sensitivity analysis a positive sample counts only with another beside it.
WITH sample AS (
    SELECT USUBJID, ISSEQ, coalesce(ISSTRESN >= 20, FALSE) AS POSITIVE,
           row_number() OVER (PARTITION BY USUBJID ORDER BY left(ISDTC, 10) DESC, ISSEQ DESC) AS FROM_END
    FROM "IS"
    WHERE ISTESTCD = 'ADA_NAB' AND ISSTRESC IS NOT NULL
),
read AS (
    SELECT *, 'NABCLAS' AS READING FROM sample
    UNION ALL
    SELECT * REPLACE (POSITIVE AND (coalesce(lead(POSITIVE) OVER side, FALSE) OR coalesce(lag(POSITIVE) OVER side, FALSE)) AS POSITIVE),
           'NABCLAS2'
    FROM sample
    WINDOW side AS (PARTITION BY USUBJID ORDER BY FROM_END)
),
class AS (
    SELECT USUBJID, READING,
           CASE WHEN NOT bool_or(POSITIVE) THEN 'NEGATIVE'
                WHEN bool_and(POSITIVE) THEN 'PERSISTENT'
                WHEN bool_or(FROM_END = 1 AND NOT POSITIVE) THEN 'TRANSIENT'
                WHEN bool_or(FROM_END = 2 AND POSITIVE) THEN 'LATE'
                ELSE 'UNDETERMINED' END AS NAME
    FROM read
    GROUP BY ALL
)
SELECT USUBJID, ISSEQ,
       CASE WHEN POSITIVE THEN 'Y' ELSE 'N' END AS NABPOSFL,
       A.NAME AS NABCLAS,
       B.NAME AS NABCLAS2
FROM sample
JOIN class A USING (USUBJID)
JOIN class B USING (USUBJID)
WHERE A.READING = 'NABCLAS' AND B.READING = 'NABCLAS2'
