-- Webhooks that were never sent are found by themselves.
CREATE INDEX webhooks_new ON kinora.webhooks (sender, next_at) WHERE state = 'pending' AND attempt = 0;
-- The receivers of older versions had no path.
UPDATE kinora.webhooks SET host = host || '/' WHERE state = 'pending' AND strpos(host, '/') = 0;
