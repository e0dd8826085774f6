run_as_root = true -- containers are root; no effect for anybody else
pidfile = "@FOLDER@/prosody.pid"
data_path = "@FOLDER@/data"
certificates = "@FOLDER@/certs"
log = { @LEVEL@ = "*console" }
network_backend = "epoll"
network_settings = { tcp_backlog = 1024, connect_timeout = 3 } -- some hundred clients come at once
interfaces = { "@ADDRESS@" }
component_interfaces = { "@ADDRESS@" }
http_interfaces = { "@ADDRESS@" }
c2s_ports = { @C2S@ }
component_ports = { @COMPONENT@ }
http_ports = { @HTTP@ }
https_ports = { }
http_default_host = "@WEB@"
http_external_url = "http://@WEB@:@HTTP@/"
consider_websocket_secure = true
consider_bosh_secure = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
-- Outlives a restart and needs no database. With ten thousand messages in one archive it gets slow: loads do without archive.
storage = "internal"
archive_expires_after = "never"
admins = { "admin@@DOMAIN@" }
c2s_stanza_size_limit = 1048576
component_stanza_size_limit = 1048576
component_conflict_resolve = "kick_old"
muc_room_cache_size = 10000 -- live rooms; the default is 100
plugin_paths = { "@FOLDER@/modules" }
modules_enabled = {
  "roster", "saslauth", "disco", "presence", "message", "iq", "ping", "posix", "private", "carbons", "pep", "blocklist",
  "vcard4", "vcard_legacy", "bookmarks", "smacks", "csi_simple", "mam", "bosh", "websocket", "version", "time",@MODULES@
}
@S2S@@EXTRA@

VirtualHost "@DOMAIN@"

Component "@MUC@" "muc"
  modules_enabled = { @MUC_MODULES@ }
  muc_room_locking = false
  muc_room_default_public = true
  max_history_messages = 50
@MUC_LIMITS@
Component "@UPLOAD@" "http_file_share"
  http_host = "@WEB@" -- else the slot's address answers 404
  http_file_share_size_limit = 100*1024*1024
  http_file_share_daily_quota = 10*1024*1024*1024
  http_file_share_access = { "@DOMAIN@"@UPLOADERS@ }
