-- Work for sqlite3 whose calls of library functions can be counted by two
-- programs that must agree: nothing in it depends on time, chance, addresses or
-- the size of the machine. Wide rather than long: callgrind is 50 times slower.
.bail on
.headers on
.mode list
PRAGMA page_size = 1024;
PRAGMA cache_size = 20;
PRAGMA foreign_keys = ON;

CREATE TABLE city(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, area REAL);
CREATE TABLE person(
	id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE,
	city INTEGER NOT NULL REFERENCES city(id) ON DELETE CASCADE,
	born INTEGER CHECK (born BETWEEN 1900 AND 2020), note BLOB,
	decade INTEGER GENERATED ALWAYS AS (born / 10 * 10) VIRTUAL);
CREATE TABLE audit(what TEXT, who INTEGER, at INTEGER) STRICT;
CREATE TABLE pair(a INTEGER, b TEXT, PRIMARY KEY(a, b)) WITHOUT ROWID;
CREATE VIEW elder AS SELECT p.*, c.name AS city_name FROM person p JOIN city c ON c.id = p.city
	WHERE born < 1950;
CREATE TRIGGER person_gone AFTER DELETE ON person BEGIN
	INSERT INTO audit VALUES('delete', old.id, old.born);
END;
CREATE TRIGGER person_moved AFTER UPDATE OF city ON person WHEN new.city <> old.city BEGIN
	INSERT INTO audit VALUES('move', new.id, new.city);
END;

BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
INSERT INTO city SELECT i, char(64 + i) || 'ville', i * 3.25 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
INSERT INTO person(id, name, city, born, note)
SELECT i, printf('%s %03d', substr('AnnBobCleDan', i % 4 * 3 + 1, 3), i * 7 % 300),
       i * 31 % 12 + 1, 1920 + i * 37 % 90, zeroblob(i % 40) FROM n;
COMMIT;
INSERT INTO pair SELECT id, name FROM person WHERE id % 3 = 0;
INSERT OR REPLACE INTO pair VALUES(3, 'again'), (6, 'again');
INSERT INTO pair VALUES(3, 'again') ON CONFLICT DO UPDATE SET a = excluded.a;

CREATE INDEX person_by_city ON person(city, born);
CREATE INDEX person_by_name ON person(lower(name)) WHERE born > 1960;
ANALYZE;

SELECT 'join', c.name, count(*), sum(p.born), min(p.born), max(p.born), round(avg(p.born), 3)
FROM city c LEFT JOIN person p ON p.city = c.id GROUP BY c.id HAVING count(*) > 10 ORDER BY c.area DESC;
SELECT 'aggregate', decade, count(DISTINCT city), group_concat(DISTINCT city % 3), total(length(note))
FROM person GROUP BY decade ORDER BY decade;
SELECT 'window', id, born, rank() OVER w, lag(born, 1, 0) OVER w, sum(born) OVER (w ROWS 3 PRECEDING)
FROM person WHERE id < 40 WINDOW w AS (PARTITION BY city ORDER BY born, id) ORDER BY id LIMIT 12;
SELECT city AS compound FROM person WHERE born < 1930 UNION SELECT id FROM city WHERE area > 20
EXCEPT SELECT 5 INTERSECT SELECT id FROM city ORDER BY 1 DESC;
SELECT 'subquery', name FROM person p WHERE born = (SELECT max(born) FROM person q WHERE q.city = p.city)
	AND EXISTS (SELECT 1 FROM city WHERE id = p.city AND area > 10) ORDER BY name, id LIMIT 5;
SELECT 'in', count(*) FROM person WHERE lower(name) IN ('ann 100', 'bob 201', 'cle 22') OR born IN (1950, 1960);
SELECT 'like', count(*) FROM person WHERE name LIKE 'a%1_' OR name GLOB 'Bob*[0-4]';
SELECT 'view', count(*), max(city_name) FROM elder;
SELECT 'text', upper(trim('  x ')), replace('abcabc', 'b', '-'), instr('hello', 'l'), hex(quote('it''s')),
	unicode('z'), soundex('Robert'), substr('abcdef', -3, 2), typeof(1.5), coalesce(NULL, 2), nullif(1, 1);
SELECT 'number', abs(-3), 7 % 3, 1 << 10, ~5, 5 & 6, 5 | 8, 1e3, CAST('12abc' AS INTEGER), max(1, 2, 3), sign(-2);
SELECT 'date', date('2001-02-03', '+1 month', 'weekday 0'), strftime('%Y %j %W', '1999-12-31'), julianday('2000-01-01');
SELECT 'json', json_extract('{"a":[1,2,{"b":3}]}', '$.a[2].b'), json_array(1, 'x', NULL), json_valid('{'),
	(SELECT sum(value) FROM json_each('[1,2,3]')), json_set('{"a":1}', '$.b', 2);
SELECT 'case', sum(CASE WHEN born < 1950 THEN 1 WHEN born < 1980 THEN 10 ELSE 100 END) FROM person;
EXPLAIN QUERY PLAN SELECT * FROM person WHERE city = 3 AND born > 1950 ORDER BY name;

SAVEPOINT before;
UPDATE person SET city = city % 12 + 1 WHERE id % 50 = 0;
DELETE FROM city WHERE id = 7;
ROLLBACK TO before;
UPDATE person SET name = name || '!', note = randomblob(0) WHERE born = 1955;
DELETE FROM city WHERE id = 2;
RELEASE before;
ALTER TABLE audit RENAME COLUMN who TO whom;
ALTER TABLE audit ADD COLUMN extra TEXT DEFAULT 'none';
SELECT 'audit', what, count(*), sum(whom), extra FROM audit GROUP BY what;
DROP INDEX person_by_name;
DROP VIEW elder;
PRAGMA table_info(person);
PRAGMA integrity_check;
PRAGMA foreign_key_check;
VACUUM;
SELECT 'pages', page_count > 10 FROM pragma_page_count;
.dump pair
