-- Limits on rooms as operators have them from mod_muc_limits of prosody-modules, which Debian 12 does not package: one token
-- bucket per room for joins, nick changes and messages; short nicks; few lines. Whoever has an affiliation is exempt.
-- Beside it a limit on occupants, which Prosody itself has none of.

local jid_resource = require "util.jid".resource;
local st = require "util.stanza";
local throttle = require "util.throttle";

local event_rate = module:get_option_number("muc_event_rate", 0.5); -- per second
local burst_factor = module:get_option_number("muc_burst_factor", 6);
local max_nick_length = module:get_option_number("muc_max_nick_length", 23); -- bytes
local max_lines = module:get_option_number("muc_max_line_count", 23);
local max_occupants = module:get_option_number("muc_max_occupants");

local function refuse(event, kind, condition, text)
	event.origin.send(st.error_reply(event.stanza, kind, condition, text, event.room.jid));
	return true;
end

local function extra_lines(stanza)
	local body = stanza:get_child_text("body");
	if not body then return 0; end
	return select(2, body:gsub("\n", ""));
end

local function limit(event)
	local room, stanza = event.room, event.stanza;
	if stanza.attr.type == "unavailable" or room:get_affiliation(stanza.attr.from) then return; end
	local cost = 1;
	if stanza.name == "presence" then
		local nick = jid_resource(stanza.attr.to);
		if nick and #nick > max_nick_length then
			return refuse(event, "modify", "policy-violation", "Your nick name is too long, please use a shorter one");
		end
	else
		cost = cost + extra_lines(stanza);
		if cost > max_lines then
			return refuse(event, "modify", "policy-violation", "Your message is too long, please write a shorter one");
		end
	end
	if not room.lab_events then
		room.lab_events = throttle.create(event_rate * burst_factor, burst_factor);
	end
	if not room.lab_events:poll(cost) then
		return refuse(event, "wait", "policy-violation", "The room is currently overactive, please try again later");
	end
end

local function fill(event)
	local affiliation = event.room:get_affiliation(event.stanza.attr.from);
	if not max_occupants or affiliation == "owner" or affiliation == "admin" then return; end
	local occupants = 0;
	for _ in event.room:each_occupant() do occupants = occupants + 1; end
	if event.is_first_session and occupants >= max_occupants then
		return refuse(event, "wait", "service-unavailable", "The room has reached its maximum number of occupants");
	end
end

module:hook("muc-occupant-pre-join", fill, 3);
if module:get_option_boolean("muc_limits", true) then
	module:hook("muc-occupant-pre-join", limit);
	module:hook("muc-occupant-pre-change", limit);
	module:hook("muc-occupant-groupchat", limit);
end
