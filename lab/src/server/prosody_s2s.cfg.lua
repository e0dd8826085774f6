lab_neighbour = "@THERE@"
s2s_interfaces = { "@HERE@" }
s2s_ports = { @S2S_PORT@ }
s2s_require_encryption = false
s2s_secure_auth = false
s2s_timeout = 5 -- for a stream to be set up; the default is 90
-- A silent connection is noticed when something is sent on it and no acknowledgement comes (XEP-0198); the default is 30.
smacks_max_ack_delay = 3
