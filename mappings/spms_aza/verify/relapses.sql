-- One row a relapse: its onset (an unknown day is the first possible; none if the end came before) and whether it counts:
-- confirmed by examination, without fever or infection, and 30 days or more after the relapse before that was so too.
WITH qualifier AS (
    SELECT USUBJID, CAST(IDVARVAL AS INT) AS CESEQ,
           bool_or(QNAM = 'CECONF' AND QVAL = 'Y') AS CONFIRMED,
           bool_or(QNAM = 'CEFEVER' AND QVAL = 'Y') AS FEVER
    FROM SUPPCE
    WHERE IDVAR = 'CESEQ'
    GROUP BY ALL
),
relapse AS (
    SELECT USUBJID, CESEQ, FIRST_DOSE,
           length(CESTDTC) AS KNOWN,
           CASE WHEN KNOWN >= 10 THEN TRY_CAST(left(CESTDTC, 10) AS DATE)
                WHEN coalesce(left(rpad(CEENDTC, 10, '9'), KNOWN) >= CESTDTC, TRUE)
                THEN TRY_CAST(CESTDTC || substr('0000-01-01', KNOWN + 1) AS DATE) END AS ONSET,
           coalesce(CONFIRMED AND NOT FEVER, FALSE) AS PROPER
    FROM CE
    JOIN TREATMENT USING (USUBJID)
    LEFT JOIN qualifier USING (USUBJID, CESEQ)
    WHERE CECAT = 'MS RELAPSE'
)
SELECT *,
       PROPER AND coalesce(
           ONSET - lag(ONSET) OVER (PARTITION BY USUBJID, PROPER ORDER BY ONSET, CESEQ) >= 30, TRUE
       ) AS COUNTS
FROM relapse
