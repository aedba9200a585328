#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mime/content_type.h"

namespace p11mime::mime {

/// kMaxNesting bounds how deep multiparts and embedded messages are followed.
inline constexpr std::size_t kMaxNesting = 100;

/// Canonicalisation says how far an entity is made safe before it is signed or encrypted.
enum class Canonicalisation {
    clear_signed,  ///< canonical CRLF and safe for 7-bit transport (RFC 8551 section 3.1.2)
    enclosed,  ///< canonical CRLF only: the CMS structure carries 8-bit content unharmed (parts with a binary encoding
               ///< stay raw)
};

/// TopHeader says what may stand in the header of the whole that is clear-signed.
enum class TopHeader {
    seven_bit,  ///< what 7-bit transport carries unharmed
    utf8,       ///< UTF-8 too: the header of the mail has it as well, which so goes by SMTPUTF8 (RFC 6531)
    any,        ///< whatever: encryption around carries it
};

/// TransportPlan says which leaf parts of an entity, counted in order of appearance from 0, get another transfer
/// encoding. The empty plan leaves every part as it is.
struct TransportPlan {
    struct Change {
        std::size_t leaf;
        TransferEncoding to;  ///< quoted_printable or base64
        bool operator==(const Change&) const = default;
    };
    std::vector<Change> changes;  ///< by leaf, ascending
    bool operator==(const TransportPlan&) const = default;
};

/// TransportSafe gives out an entity in the form in which it is signed or encrypted, following a plan, and finds out
/// meanwhile which plan it would have needed. The right plan shows only after a part's header, so a caller starts with
/// the empty plan and, where needed() then differs, starts over with that one.
///
/// clear_signed: leaf parts with 8-bit bytes, NUL, lone CR or LF, lines over 998 bytes, trailing white space or lines
/// starting with "From " are to be encoded: quoted-printable for text/*, base64 for others and for text with many
/// escapes (over one byte in six). Text that was base64 stays so; a binary part is encoded, from its exact bytes,
/// whatever it holds. Parts that are themselves signed or encrypted (multipart/signed, multipart/encrypted,
/// application/pkcs7-mime and its x- form) and message/* parts with all that is in them are never re-encoded; an unsafe
/// one, or an unsafe header (that of the whole by `top`), preamble or epilogue, sets refusal(). Without a plan too,
/// white space goes from the end of header and delimiter lines, and the label 8bit or binary of what leaves as 7-bit
/// text becomes 7bit (relays encode by the label).
///
/// enclosed: nothing is to be encoded and nothing refused.
///
/// pull throws Error(malformed) for a broken header, for parts nested more than kMaxNesting deep, and for a part that
/// is to be encoded again but does not decode.
class TransportSafe final : public Source {
  public:
    TransportSafe(Source& entity, Canonicalisation form, TransportPlan plan, TopHeader top = TopHeader::seven_bit);
    ~TransportSafe() override;
    TransportSafe(const TransportSafe&) = delete;
    TransportSafe& operator=(const TransportSafe&) = delete;

    ByteView pull() override;

    /// needed is the plan that the entity needs; valid once pull() has reached the end.
    const TransportPlan& needed() const;

    /// refusal says why the entity cannot be made safe at all ("part 2 (message/rfc822) has 8-bit bytes and may not be
    /// re-encoded"), or is empty; valid once pull() has reached the end.
    const std::string& refusal() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace p11mime::mime
