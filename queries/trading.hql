-- Trading: a firm of agents decides on every stock. As written there are 88 calls a stock:
--   18  four analysts read what there is (4 + 2 + 5 + 3 documents) and write a report each
--    5  a bull and a bear debate for two rounds, their manager concludes
--   64  eight traders make a plan; for each of them three risk analysts argue for two rounds,
--       and a judge settles it
--    1  the fund manager decides
-- Only 56 of them differ: the eight traders follow four styles, and the same question to the
-- same model is asked once. Every step starts for a stock as soon as its own inputs are there.
CREATE TEMP VIEW stocks    AS FROM 'queries/data/trading/stocks.csv';
CREATE TEMP VIEW documents AS FROM 'queries/data/trading/documents.csv';
CREATE TEMP VIEW posts     AS FROM 'queries/data/trading/posts.csv';

WITH analysts(analyst, role) AS (
  VALUES ('fundamentals', 'You are a fundamentals analyst. You judge what a company is worth.'),
         ('market',       'You are a market analyst. You read prices and indicators.'),
         ('news',         'You are a news analyst. You look for what will move the price.'),
         ('social',       'You are a social media analyst. You measure the mood of investors.')
), traders(trader, style) AS (
  VALUES (1, 'a value investor who buys what is cheap and waits'),
         (2, 'a momentum trader who follows the trend'),
         (3, 'a contrarian who acts against the crowd'),
         (4, 'an income investor who wants steady dividends'),
         (5, 'a value investor who buys what is cheap and waits'),
         (6, 'a momentum trader who follows the trend'),
         (7, 'a contrarian who acts against the crowd'),
         (8, 'an income investor who wants steady dividends')
), risk_analysts(seat, attitude, advice) AS (
  VALUES (1, 'aggressive',   'You look for large gains and accept large risks.'),
         (2, 'conservative', 'You protect what there is and avoid losses.'),
         (3, 'neutral',      'You weigh gains against risks.')

-- The analysts: 14 notes and 4 reports a stock.
), material AS (
  SELECT stock, analyst, part, body FROM documents
  UNION ALL
  SELECT   stock, 'social', platform, string_agg(body, chr(10) ORDER BY post)
  FROM     posts GROUP BY stock, platform
), notes AS (
  SELECT m.stock, m.analyst, m.part, a.role, g.text AS note
  FROM   material AS m JOIN analysts AS a ON a.analyst = m.analyst,
         LATERAL LLM_GENERATE($${m.body}

What in this matters to somebody who trades {m.stock}? Be brief.$$,
           system => a.role) AS g
), collected AS (
  SELECT   stock, analyst, role, string_agg(note, chr(10) || chr(10) ORDER BY part) AS notes
  FROM     notes GROUP BY stock, analyst, role
), reports AS (
  SELECT c.stock, c.analyst, g.text AS report
  FROM   collected AS c,
         LATERAL LLM_GENERATE($${c.notes}

Write a report on {c.stock} from your notes. End with a table of the main points.$$,
           system => c.role) AS g
), briefings AS (
  SELECT   r.stock, s.name || ', ' || s.sector AS company,
           string_agg('The ' || r.analyst || ' report: ' || r.report, chr(10) ORDER BY r.analyst) AS briefing
  FROM     reports AS r JOIN stocks AS s ON s.stock = r.stock GROUP BY r.stock, s.name, s.sector

-- The debate: each side hears what the other said last.
), bull_opening AS (
  SELECT b.*, g.text AS bull, g.messages AS bull_messages
  FROM   briefings AS b,
         LATERAL LLM_GENERATE($${b.briefing}

Make the case for buying {b.stock} ({b.company}).$$,
           system => 'You are a bull researcher.') AS g
), bear_opening AS (
  SELECT o.*, g.text AS bear, g.messages AS bear_messages
  FROM   bull_opening AS o,
         LATERAL LLM_GENERATE($${o.briefing}

Make the case against buying {o.stock} ({o.company}). The bull says: {o.bull}$$,
           system => 'You are a bear researcher.') AS g
), bull_reply AS (
  SELECT o.*, g.text AS bull_again
  FROM   bear_opening AS o,
         LATERAL LLM_GENERATE('The bear says: {o.bear} Reply, and keep to the reports.',
           history => o.bull_messages) AS g
), bear_reply AS (
  SELECT r.*, g.text AS bear_again
  FROM   bull_reply AS r,
         LATERAL LLM_GENERATE('The bull replies: {r.bull_again} Reply, and keep to the reports.',
           history => r.bear_messages) AS g
), researched AS (
  SELECT r.stock, r.company, r.briefing, g.text AS research
  FROM   bear_reply AS r,
         LATERAL LLM_GENERATE($${r.briefing}

Bull: {r.bull}
Bear: {r.bear}
Bull: {r.bull_again}
Bear: {r.bear_again}

Who is right on {r.stock}? Give a recommendation and a plan for the traders.$$,
           system => 'You are the manager of the researchers.') AS g

-- The traders, and the risk analysts that look at each trader's plan.
), plans AS (
  SELECT r.stock, r.briefing, t.trader, g.text AS plan
  FROM   researched AS r CROSS JOIN traders AS t,
         LATERAL LLM_GENERATE($${r.briefing}

The research manager says: {r.research}

What do you do with {r.stock}? End with BUY, HOLD or SELL.$$,
           system => 'You are ' || t.style || '.') AS g
), first_words AS (
  SELECT p.stock, p.trader, p.plan, a.seat, a.attitude, g.text AS said, g.messages
  FROM   plans AS p CROSS JOIN risk_analysts AS a,
         LATERAL LLM_GENERATE($${p.briefing}

A trader plans: {p.plan}

What is your opinion of the risk?$$,
           system => 'You are a risk analyst. ' || a.advice) AS g
), last_words AS (
  SELECT me.stock, me.trader, me.plan, me.seat, me.attitude, me.said, g.text AS said_last
  FROM   first_words AS me,
         LATERAL (SELECT string_agg('The ' || o.attitude || ' analyst: ' || o.said, chr(10) ORDER BY o.seat) AS others
                  FROM   first_words AS o
                  WHERE  o.stock = me.stock AND o.trader = me.trader AND o.seat <> me.seat) AS heard,
         LATERAL LLM_GENERATE('The others say: {heard.others} Reply to them.',
           history => me.messages) AS g
), argued AS (
  SELECT   stock, trader, any_value(plan) AS plan,
           string_agg('The ' || attitude || ' analyst: ' || said || ' Later: ' || said_last, chr(10) ORDER BY seat) AS words
  FROM     last_words GROUP BY stock, trader
), judged AS (
  SELECT a.stock, a.trader, g.text AS judgement
  FROM   argued AS a,
         LATERAL LLM_GENERATE($$A trader plans: {a.plan}

{a.words}

Settle it: adjust the plan, and end with BUY, HOLD or SELL.$$,
           system => 'You are the judge of the risk analysts.') AS g
), orders AS (
  SELECT   stock, string_agg('Trader ' || trader || ': ' || judgement, chr(10) ORDER BY trader) AS orders
  FROM     judged GROUP BY stock
)
SELECT   o.stock, g.text AS decision
FROM     orders AS o,
         LATERAL LLM_GENERATE($${o.orders}

Decide for the fund: BUY, HOLD or SELL {o.stock}, and how much of it.$$,
           system => 'You are the fund manager.') AS g
ORDER BY o.stock;
