-- One row a patient: first and last day on azathioprine, death, end of participation, last day seen, completion.
-- A course whose end is not known goes on: there is no last day then.
WITH dose AS (
    SELECT USUBJID,
           min(TRY_CAST(left(EXSTDTC, 10) AS DATE)) AS FIRST_DOSE,
           CASE WHEN count(*) = count(EXENDTC) THEN max(TRY_CAST(left(EXENDTC, 10) AS DATE)) END AS LAST_DOSE
    FROM EX
    WHERE EXTRT = 'AZATHIOPRINE' AND EXDOSE > 0
    GROUP BY USUBJID
),
finish AS (
    SELECT USUBJID,
           max(TRY_CAST(left(DSSTDTC, 10) AS DATE)) AS END_OF_STUDY,
           bool_or(DSDECOD = 'COMPLETED') AS COMPLETED
    FROM DS
    WHERE DSSCAT = 'STUDY PARTICIPATION'
    GROUP BY USUBJID
),
visited AS (SELECT USUBJID, max(TRY_CAST(left(SVENDTC, 10) AS DATE)) AS LAST_VISIT FROM SV GROUP BY USUBJID)
SELECT DM.USUBJID,
       FIRST_DOSE,
       LAST_DOSE,
       TRY_CAST(left(DTHDTC, 10) AS DATE) AS DEATH,
       END_OF_STUDY,
       coalesce(COMPLETED, FALSE) AS COMPLETED,
       greatest(LAST_VISIT, END_OF_STUDY, LAST_DOSE, TRY_CAST(left(DTHDTC, 10) AS DATE)) AS LAST_SEEN,
       EXISTS (SELECT 1 FROM DS WHERE DS.USUBJID = DM.USUBJID AND DSDECOD = 'ENTERED INTO TRIAL') AS ENROLLED
FROM DM
LEFT JOIN dose USING (USUBJID)
LEFT JOIN finish USING (USUBJID)
LEFT JOIN visited USING (USUBJID)
