-- Each result against the laboratory's own range, in SI units. No toxicity scale is used in this study.
SELECT USUBJID, LBSEQ,
       CASE WHEN LBSTRESN < LBSTNRLO THEN 'LOW'
            WHEN LBSTRESN > LBSTNRHI THEN 'HIGH'
            WHEN LBSTNRLO IS NOT NULL OR LBSTNRHI IS NOT NULL THEN 'NORMAL' END AS ANRIND
FROM LB
WHERE LBSTRESN IS NOT NULL
