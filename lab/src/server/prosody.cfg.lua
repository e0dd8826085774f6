run_as_root = true -- containers are root; no effect for anybody else
pidfile = "@FOLDER@/prosody.pid"
data_path = "@FOLDER@/data"
certificates = "@FOLDER@/certs"
log = { @LEVEL@ = "*console" }
network_backend = "epoll"
network_settings = { tcp_backlog = 1024 } -- some hundred clients come at once
interfaces = { "127.0.0.1" }
component_interfaces = { "127.0.0.1" }
http_interfaces = { "127.0.0.1" }
c2s_ports = { @C2S@ }
component_ports = { @COMPONENT@ }
http_ports = { @HTTP@ }
https_ports = { }
http_default_host = "localhost"
http_external_url = "http://localhost:@HTTP@/"
consider_websocket_secure = true
consider_bosh_secure = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
-- Outlives a restart and needs no database. With ten thousand messages in one archive it gets slow: loads do without archive.
storage = "internal"
archive_expires_after = "never"
admins = { "admin@localhost" }
c2s_stanza_size_limit = 1048576
component_stanza_size_limit = 1048576
component_conflict_resolve = "kick_old"
muc_room_cache_size = 10000 -- live rooms; the default is 100
modules_disabled = { "s2s" }
modules_enabled = {
  "roster", "saslauth", "disco", "presence", "message", "iq", "ping", "posix", "private", "carbons", "pep", "blocklist",
  "vcard4", "vcard_legacy", "bookmarks", "smacks", "csi_simple", "mam", "bosh", "websocket", "version", "time",
}
@EXTRA@

VirtualHost "localhost"

Component "conference.localhost" "muc"
  modules_enabled = { @MUC_MODULES@ }
  muc_room_locking = false
  muc_room_default_public = true
  max_history_messages = 50

Component "upload.localhost" "http_file_share"
  http_host = "localhost" -- else the slot's address answers 404
  http_file_share_size_limit = 100*1024*1024
  http_file_share_daily_quota = 10*1024*1024*1024
  http_file_share_access = { "localhost"@UPLOADERS@ }
