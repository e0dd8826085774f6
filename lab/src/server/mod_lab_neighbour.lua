-- Finds every other server at the one address of the option lab_neighbour, without DNS.

module:set_global();

local manual = require "net.resolvers.manual";
local service = require "net.resolvers.service";

local address = module:get_option_string("lab_neighbour");

function service.new(_, _, conn_type, extra)
	return manual.new({ { conn_type .. "4", address, 5269, extra } }, conn_type, extra);
end
