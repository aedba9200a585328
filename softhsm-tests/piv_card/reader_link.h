#pragma once

#include <cstdint>
#include <optional>

#include "mime/bytes.h"

namespace p11mime::piv_card {

/// ReaderLink is the connection to a virtual reader (vpcd), a TCP port of this machine: the card is in the reader as
/// long as it is connected. Each message has a length of 16 bits, big-endian, in front.
class ReaderLink {
  public:
    ~ReaderLink() { close(); }
    ReaderLink() = default;
    ReaderLink(const ReaderLink&) = delete;
    ReaderLink& operator=(const ReaderLink&) = delete;

    /// open tries to connect; false where nobody listens.
    bool open(std::uint16_t port);
    void close();
    bool is_open() const { return socket_ >= 0; }
    int descriptor() const { return socket_; }

    /// read and write take a whole message; where the reader has gone they close, and read returns nothing.
    std::optional<Bytes> read();
    void write(ByteView message);

  private:
    bool read_all(Byte* to, std::size_t size);

    int socket_ = -1;
};

}  // namespace p11mime::piv_card
