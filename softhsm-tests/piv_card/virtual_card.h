#pragma once

#include <chrono>
#include <fstream>
#include <optional>
#include <string>

#include "softhsm-tests/piv_card/card.h"
#include "softhsm-tests/piv_card/incident.h"
#include "softhsm-tests/piv_card/reader_link.h"

namespace p11mime::piv_card {

/// VirtualCard is a card and its way in and out of a reader.
class VirtualCard {
  public:
    /// `log` names a file for one line a command, without its data; "" for none.
    VirtualCard(Card its_card, std::uint16_t port, const std::string& log);

    void insert();
    void remove();
    void release();  ///< lets the answer go that is held back

    /// descriptor is readable when the reader says something, which serve() then answers; -1 outside of a reader.
    int descriptor() const { return link_.descriptor(); }
    void serve();
    /// tick does what is due: an answer, or looking for the reader. It returns for how long nothing will be.
    std::chrono::milliseconds tick();

    /// status is "name=value" for all that can be asked.
    std::string status() const;

    Card card;
    Incidents incidents;
    std::chrono::milliseconds slowness{0};  ///< before each answer
    std::uint64_t commands = 0;             ///< APDUs so far

  private:
    struct Pending {
        Bytes answer;
        std::chrono::steady_clock::time_point due;
        bool held = false;
    };

    void transmit(ByteView bytes);
    void note(const Apdu& apdu, std::uint16_t status);

    std::uint16_t port_;
    std::ofstream log_;
    ReaderLink link_;
    bool inserted_ = false;
    bool powered_ = false;
    std::optional<Pending> pending_;
};

}  // namespace p11mime::piv_card
