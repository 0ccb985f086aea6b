-- The demo's work for sqlite3: create, bulk insert, index, join, aggregate.
-- Deterministic: every run prints the same lines, which is how the demo knows
-- that a traced run, and one whose tracer was killed, gave the right answer.
.bail on
.print creating tables
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL);
CREATE TABLE purchase(id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, day INTEGER NOT NULL, cents INTEGER NOT NULL);

.print inserting
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO customer
SELECT i, printf('customer %04d', i),
       CASE i % 4 WHEN 0 THEN 'Aarhus' WHEN 1 THEN 'Brno' WHEN 2 THEN 'Cork' ELSE 'Delft' END
FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
INSERT INTO purchase
SELECT i, (i * 7919) % 120 + 1, (i * 31) % 365, (i * 104729) % 9973
FROM n;
COMMIT;

.print indexing
CREATE INDEX purchase_by_customer ON purchase(customer, day);
CREATE INDEX customer_by_city ON customer(city, name);
ANALYZE;

.print joining
SELECT c.city, count(*), sum(p.cents), min(p.day), max(p.day)
FROM customer c JOIN purchase p ON p.customer = c.id
GROUP BY c.city ORDER BY c.city;

.print aggregating
SELECT c.name, total(p.cents) / 100.0 AS spent
FROM customer c JOIN purchase p ON p.customer = c.id
WHERE p.day BETWEEN 30 AND 240
GROUP BY c.id ORDER BY spent DESC, c.name LIMIT 3;

.print updating
UPDATE purchase SET cents = cents + 1 WHERE day < 20;
DELETE FROM purchase WHERE customer % 50 = 0;
SELECT count(*), sum(cents) FROM purchase;
PRAGMA integrity_check;
