#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "softhsm-tests/piv_card/apdu.h"

namespace p11mime::piv_card {

/// What can happen to a command: the card is pulled out before it answers; it waits with its answer until it is
/// released; it answers with a status word and does nothing.
struct Removal {};
struct Hold {};
struct Refusal {
    std::uint16_t status = 0;
    unsigned times = 1;  ///< 0: from now on
};
using Event = std::variant<Removal, Hold, Refusal>;

/// Place is the command that something happens to: the N-th from now, from 1, or the next with an instruction (the last
/// of a chain).
using Place = std::variant<unsigned, Instruction>;

/// parse_place reads a number or the name of an instruction: "select", "get-data", "verify", "change", "unblock",
/// "authenticate". Nothing where it is neither.
std::optional<Place> parse_place(const std::string& text);

/// Incidents are what was ordered and has not happened.
class Incidents {
  public:
    void add(Place place, Event event) { ordered_.push_back({place, event}); }
    void clear() { ordered_.clear(); }
    std::size_t size() const { return ordered_.size(); }

    /// next is what happens to this command, the next one.
    std::optional<Event> next(const Apdu& apdu);

  private:
    struct Incident {
        Place place;
        Event event;
    };
    std::vector<Incident> ordered_;
};

}  // namespace p11mime::piv_card
