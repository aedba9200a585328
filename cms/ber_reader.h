#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cms/der.h"
#include "mime/window.h"

namespace p11mime::cms {

/// The limits of what is read; more is Error(malformed).
inline constexpr std::size_t kMaxBerDepth = 64;            ///< constructed values inside each other
inline constexpr std::size_t kMaxOctetStringNesting = 16;  ///< constructed octet strings inside each other
inline constexpr std::size_t kMaxElementBytes =
    1024 * 1024;  ///< one value that is read whole: a SignerInfo, a certificate

/// BerReader reads BER (X.690) from a stream, value by value: definite and indefinite lengths, at any size. Lengths are
/// checked against the values around them before anything is read or reserved. Everything throws Error(malformed).
class BerReader {
  public:
    explicit BerReader(Source& from) : window_(from) {}

    struct Header {
        Byte identifier;                      ///< class, constructed bit and tag number below 31
        std::size_t size;                     ///< of identifier and length octets
        std::optional<std::uint64_t> length;  ///< nothing: indefinite
        bool constructed() const { return (identifier & tag::kConstructed) != 0; }
    };

    /// at_end says whether the value that was entered last holds no more; outside any, whether the source has ended.
    bool at_end();
    /// next is the header of the next value, without consuming it; at_end() must be false.
    Header next();
    /// next_is says whether there is a next value and its identifier is this.
    bool next_is(Byte identifier);

    void enter(Byte identifier, const char* what);  ///< goes into a constructed value
    void leave();                                   ///< comes out of it; what is unread is an error
    Bytes element(std::size_t limit,
                  const char* what);  ///< consumes the next value whole: identifier, length and contents
    Bytes element(Byte identifier, std::size_t limit, const char* what);
    void require_end();  ///< outside any value: nothing but white space and NUL may follow
    void skip();         ///< drops the next value
    void skip_to_end();  ///< drops the rest of the value that was entered last

    /// begin_octets starts on an octet string, primitive or constructed, under an identifier octet without its
    /// constructed bit; octets() then gives its contents piece by piece and nothing at its end.
    void begin_octets(Byte identifier, const char* what);
    ByteView octets();

  private:
    struct Container {
        std::optional<std::uint64_t> end;  ///< position; nothing: ended by end-of-contents octets
    };

    std::uint64_t room() const;  ///< bytes left before the end of the innermost value of definite length
    void append_element(Bytes& to, std::size_t limit, std::size_t depth, const char* what);
    void append(Bytes& to, std::uint64_t count, std::size_t limit, const char* what);
    void skip_element(std::size_t depth);

    Window window_;
    std::vector<Container> containers_;
    std::size_t octets_depth_ = 0;   // containers_ at begin_octets
    std::uint64_t octets_left_ = 0;  // of the primitive segment being read
    bool octets_open_ = false;
};

/// OctetsSource is the octet string that a BerReader has begun, as a source.
class OctetsSource final : public Source {
  public:
    explicit OctetsSource(BerReader& reader) : reader_(reader) {}
    ByteView pull() override { return reader_.octets(); }

  private:
    BerReader& reader_;
};

}  // namespace p11mime::cms
