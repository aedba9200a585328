#include "token/token_info.h"

namespace p11mime::token {

std::string_view name(PinState state) {
    switch (state) {
        case PinState::ok:
            return "ok";
        case PinState::few_tries:
            return "few tries left";
        case PinState::last_try:
            return "last try";
        case PinState::locked:
            return "locked";
        case PinState::not_set:
            return "not set";
        case PinState::to_be_changed:
            return "must be changed";
    }
    return "";
}

}  // namespace p11mime::token
