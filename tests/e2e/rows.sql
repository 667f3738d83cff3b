-- 200,000 rows in, indexed, grouped and out again.
CREATE TABLE item(id INTEGER PRIMARY KEY, bucket INTEGER, name TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
INSERT INTO item SELECT i, i % 1000, printf('item %06d', i) FROM n;
COMMIT;
CREATE INDEX item_by_bucket ON item(bucket, id);
SELECT 'all', count(*), sum(bucket), min(name), max(name) FROM item;
SELECT bucket, count(*), sum(id), max(name) FROM item GROUP BY bucket ORDER BY bucket LIMIT 3;
SELECT 'distinct', count(DISTINCT lower(name)) FROM item;
DELETE FROM item WHERE id % 2 = 0;
SELECT 'odd', count(*), sum(bucket) FROM item;
DELETE FROM item WHERE bucket < 1000;
SELECT 'none', count(*) FROM item;
