#include "softhsm-tests/piv_card/incident.h"

#include <charconv>
#include <iterator>
#include <string_view>

namespace p11mime::piv_card {

namespace {

struct Name {
    std::string_view text;
    Instruction instruction;
};

constexpr Name kNames[] = {
    {"select", kSelect},
    {"get-data", kGetData},
    {"verify", kVerify},
    {"change", kChangeReferenceData},
    {"unblock", kResetRetryCounter},
    {"authenticate", kGeneralAuthenticate},
};

/// is_now says whether the place is this command, and counts down where it is a number.
bool is_now(Place& place, const Apdu& apdu) {
    if (unsigned* number = std::get_if<unsigned>(&place)) return *number == 0 || --*number == 0;
    return apdu.ins == std::get<Instruction>(place) && !apdu.chained();
}

/// is_used_up says whether an event that has happened is not to happen again.
bool is_used_up(Event& event) {
    Refusal* refusal = std::get_if<Refusal>(&event);
    if (refusal == nullptr) return true;
    return refusal->times > 0 && --refusal->times == 0;
}

}  // namespace

std::optional<Place> parse_place(const std::string& text) {
    for (const Name& name : kNames)
        if (name.text == text) return name.instruction;
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
    return number;
}

std::optional<Event> Incidents::next(const Apdu& apdu) {
    std::optional<Event> happens;
    for (auto incident = ordered_.begin(); incident != ordered_.end();) {
        const bool now = is_now(incident->place, apdu) && !happens;
        if (now) happens = incident->event;
        incident = now && is_used_up(incident->event) ? ordered_.erase(incident) : std::next(incident);
    }
    return happens;
}

}  // namespace p11mime::piv_card
