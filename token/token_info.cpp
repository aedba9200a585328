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

std::string_view warning(PinState state) {
    switch (state) {
        case PinState::ok:
            return "";
        case PinState::few_tries:
            return "a wrong one was entered before, few tries are left";
        case PinState::last_try:
            return "this is the last try before it is locked";
        case PinState::locked:
            return "it is locked";
        case PinState::not_set:
            return "none is set yet";
        case PinState::to_be_changed:
            return "it must be changed: p11mime key change-pin";
    }
    return "";
}

}  // namespace p11mime::token
