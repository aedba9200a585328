#pragma once

#include <array>
#include <map>
#include <string>

#include "softhsm-tests/piv_card/apdu.h"
#include "softhsm-tests/piv_card/key_store.h"

namespace p11mime::piv_card {

/// Secret is a PIN or PUK and its retry counter.
struct Secret {
    static constexpr unsigned kMostTries = 3;

    std::string digits;  ///< six to eight
    unsigned tries = kMostTries;
};

/// Card is a PIV card (SP 800-73-4 part 2) as its reader sees it: keys 9A, 9D and 82 to 95 want the PIN once, 9C right
/// before each use, 9E never.
class Card {
  public:
    Card(KeyStore store, Bytes serial);

    /// transmit runs one command.
    Answer transmit(const Apdu& apdu);
    /// reset is what power and the reset line do: nothing is selected or verified any more.
    void reset();
    /// replace makes another card of it: other keys, certificates and serial; PIN and PUK stay.
    void replace(KeyStore store, Bytes serial);

    const Bytes& serial() const { return serial_; }
    bool verified() const { return verified_; }

    Secret pin{.digits = "123456"};
    Secret puk{.digits = "12345678"};

  private:
    Answer run(const Apdu& apdu);
    Answer select(const Apdu& apdu);
    Answer get_data(const Apdu& apdu) const;
    Answer verify(const Apdu& apdu);
    Answer change(const Apdu& apdu);
    Answer unblock(const Apdu& apdu);
    Answer authenticate(const Apdu& apdu);
    Answer use_key(const CardKey& key, ByteView template_value) const;
    bool may_use(KeyReference reference, bool pin_just_verified) const;
    Answer first_part(Bytes data, std::size_t expected);

    KeyStore store_;
    Bytes serial_;
    std::map<unsigned, Bytes> objects_;
    bool selected_ = false;
    bool verified_ = false;       // the PIN, since the last reset
    bool just_verified_ = false;  // by the command before
    Bytes chain_;                 // the data of a chained command so far
    Bytes rest_;                  // of an answer, for GET RESPONSE
};

}  // namespace p11mime::piv_card
