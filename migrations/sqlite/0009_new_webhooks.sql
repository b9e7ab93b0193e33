-- Webhooks that were never sent are found by themselves.
CREATE INDEX webhooks_new ON webhooks (next_at) WHERE state = 'pending' AND attempt = 0;
-- The receivers of older versions had no path.
UPDATE webhooks SET host = host || '/' WHERE state = 'pending' AND instr(host, '/') = 0;
