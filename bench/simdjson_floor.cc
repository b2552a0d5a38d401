/* simdjson_floor.cc - what parsing alone costs with simdjson: see simdjson_floor.h. */
#include "simdjson_floor.h"

#include <simdjson.h>

namespace {

simdjson::ondemand::parser lazy;
simdjson::dom::parser whole;

/* Each value of a document is come to, and none of them is read. */
uint64_t visit(simdjson::ondemand::value value)
{
    uint64_t sum = 1;
    switch (value.type()) {
    case simdjson::ondemand::json_type::object:
        for (auto field : value.get_object())
            sum += visit(field.value());
        return sum;
    case simdjson::ondemand::json_type::array:
        for (auto item : value.get_array())
            sum += visit(item.value());
        return sum;
    default: return sum + value.raw_json_token().size();
    }
}

} // namespace

size_t simdjson_padding(void)
{
    return simdjson::SIMDJSON_PADDING;
}

const char *simdjson_kernel(void)
{
    static const std::string name = simdjson::get_active_implementation()->name();
    return name.c_str();
}

uint64_t simdjson_lazy(const char *text, size_t len)
{
    try {
        auto document = lazy.iterate(text, len, len + simdjson::SIMDJSON_PADDING);
        uint64_t sum = 0;
        for (auto field : document.get_object())
            sum += visit(field.value());
        return sum;
    } catch (const simdjson::simdjson_error &) {
        return 0;
    }
}

uint64_t simdjson_whole(const char *text, size_t len)
{
    simdjson::dom::element root;
    return whole.parse(text, len, false).get(root) == simdjson::SUCCESS;
}
