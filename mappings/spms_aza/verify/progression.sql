-- Times from the first dose. Confirmed progression: EDSS above baseline by 1.5 (baseline 0), 1.0 (to 5.5) or 0.5 (from 6.0), still
-- so at the first examination 91 (183) days later, less 14 of tolerance, and at all between; neither onset nor confirmation
-- lies within 30 days after a relapse began. Without one, time ends at the last EDSS.
WITH definition(PARAMCD, APART) AS (VALUES ('CDP3', 91 - 14), ('CDP6', 183 - 14)),
exam AS (
    SELECT EDSS.USUBJID, DAY,
           SCORE - BASELINE >= CASE WHEN BASELINE = 0 THEN 1.5 WHEN BASELINE <= 5.5 THEN 1.0 ELSE 0.5 END AS WORSE,
           EXISTS (SELECT 1 FROM RELAPSES R
                   WHERE R.USUBJID = EDSS.USUBJID AND DAY BETWEEN R.ONSET AND R.ONSET + 30) AS IN_RELAPSE
    FROM EDSS
    WHERE DAY > FIRST_DOSE AND BASELINE IS NOT NULL
),
onset AS (
    SELECT PARAMCD, A.USUBJID, A.DAY,
           (SELECT min(B.DAY) FROM exam B
            WHERE B.USUBJID = A.USUBJID AND B.DAY >= A.DAY + APART AND NOT B.IN_RELAPSE) AS CONFIRMED
    FROM exam A, definition
    WHERE A.WORSE AND NOT A.IN_RELAPSE
),
progression AS (
    SELECT PARAMCD, USUBJID, min(DAY) AS DAY
    FROM onset
    WHERE CONFIRMED IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM exam C
                      WHERE C.USUBJID = onset.USUBJID AND C.DAY BETWEEN onset.DAY AND CONFIRMED AND NOT C.WORSE)
    GROUP BY PARAMCD, USUBJID
),
first_relapse AS (
    SELECT USUBJID, min(ONSET) AS DAY FROM RELAPSES WHERE COUNTS AND ONSET >= FIRST_DOSE GROUP BY USUBJID
),
time AS (
    SELECT USUBJID, definition.PARAMCD, progression.DAY AS EVENT,
           (SELECT max(DAY) FROM EDSS WHERE EDSS.USUBJID = TREATMENT.USUBJID) AS LAST
    FROM TREATMENT
    CROSS JOIN definition
    LEFT JOIN progression USING (USUBJID, PARAMCD)
    UNION ALL
    SELECT USUBJID, 'RELAPSE1', DAY, coalesce(END_OF_STUDY, LAST_SEEN) FROM TREATMENT LEFT JOIN first_relapse USING (USUBJID)
    UNION ALL
    SELECT USUBJID, 'WITHDRAW', CASE WHEN NOT COMPLETED THEN END_OF_STUDY END, coalesce(END_OF_STUDY, LAST_SEEN) FROM TREATMENT
)
SELECT USUBJID, PARAMCD,
       coalesce(EVENT, LAST) AS ADT,
       (EVENT IS NULL)::INT AS CNSR,
       coalesce(EVENT, LAST) - FIRST_DOSE + 1 AS AVAL
FROM time
JOIN TREATMENT USING (USUBJID)
WHERE ENROLLED
