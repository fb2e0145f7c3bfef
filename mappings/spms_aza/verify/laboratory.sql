-- One row a laboratory result with its grade. WHO 1979 as half-open intervals on SI values; the limits of the enzymes,
-- bilirubin, urea and creatinine are multiples of the upper limit of normal, and without it there is no grade.
-- Lymphocytes by NCI-CTC version 1 (they have no WHO item), protein in urine by its dipstick.
WITH falling(TEST, ONE, TWO, THREE, FOUR) AS (
    VALUES ('HGB', 110, 95, 80, 65),
           ('WBC', 4, 3, 2, 1),
           ('NEUT', 2, 1.5, 1, 0.5),
           ('PLAT', 100, 75, 50, 25),
           ('LYM', 2, 1.5, 1, 0.5)
),
dipstick(RESULT, GRADE) AS (VALUES ('NEGATIVE', 0), ('1+', 1), ('2+', 2), ('3+', 2), ('4+', 3)),
result AS (
    SELECT *,
           CASE WHEN LBTESTCD = 'PROT' AND LBCAT = 'URINALYSIS' THEN 'UPROT' ELSE LBTESTCD END AS TEST,
           TRY_CAST(left(LBDTC, 10) AS DATE) AS DAY,
           -- nine digits, lest 1.25 times a limit miss a value that equals it
           round(LBSTRESN / LBSTNRHI, 9) AS TIMES
    FROM LB
    WHERE LBSTRESC IS NOT NULL
)
SELECT USUBJID, TEST, LBSEQ, DAY, VISITNUM, LBSTRESN, LBSTRESC, FIRST_DOSE, LAST_DOSE,
       CASE WHEN TEST = 'UPROT' THEN GRADE
            WHEN TEST IN ('ALT', 'AST', 'ALP', 'BILI', 'UREA', 'CREAT')
            THEN (TIMES > 1.25)::INT + (TIMES > 2.5)::INT + (TIMES > 5)::INT + (TIMES > 10)::INT
            ELSE (LBSTRESN < ONE)::INT + (LBSTRESN < TWO)::INT + (LBSTRESN < THREE)::INT + (LBSTRESN < FOUR)::INT
       END AS GRADE,
       LBSTRESN < 1.5 AS BELOW_LABEL
FROM result
JOIN TREATMENT USING (USUBJID)
LEFT JOIN falling USING (TEST)
LEFT JOIN dipstick ON TEST = 'UPROT' AND LBSTRESC = RESULT
