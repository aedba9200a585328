#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "mime/bytes.h"

namespace p11mime::token {

/// Reader is a smart card reader and what is in it.
struct Reader {
    std::string name;             ///< as pcscd has it
    bool card = false;            ///< a card is in it
    bool mute = false;            ///< the card does not answer
    Bytes atr;                    ///< the card's answer to reset; empty without a card that answers
    unsigned long movements = 0;  ///< how often a card came or went, as pcscd counts: an unseen exchange shows

    bool operator==(const Reader&) const = default;
};

/// may_be_slot_of says whether a slot with this description may be that of a reader. A description has at most 64 bytes
/// of the reader's name, and OpenSC ends one that is cut in "...", so that readers which begin alike share one.
bool may_be_slot_of(std::string_view slot_description, const Reader& reader);

/// pcscd_installed says whether pcscd's program is on this machine.
bool pcscd_installed();

/// Readers is a connection to pcscd, over PC/SC (pcsc-lite, loaded at first use). Everything throws Error(token) with
/// the remedy where pcsc-lite is not installed, pcscd does not run or refuses this user. For one thread at a time.
class Readers {
  public:
    Readers();
    ~Readers();
    Readers(const Readers&) = delete;
    Readers& operator=(const Readers&) = delete;

    /// list is all readers as they are now.
    std::vector<Reader> list() const;

    /// wait returns once readers or cards are no longer as `known` has them, after `longest` (nothing: no limit), or at
    /// a stop request, which whoever makes it waits for. It sleeps meanwhile.
    void wait(std::span<const Reader> known, std::optional<std::chrono::milliseconds> longest,
              const std::stop_token& stop) const;

  private:
    struct Connection;
    std::unique_ptr<Connection> connection_;
};

/// pcscd_mark changes whenever pcscd starts, which counts movements anew then.
std::string pcscd_mark();

}  // namespace p11mime::token
