-- Each receiver of webhooks (from now on in webhooks.host: host, port and path) is read by itself.
CREATE INDEX webhooks_by_receiver ON webhooks (host, next_at) WHERE state = 'pending';
