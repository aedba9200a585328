#pragma once

#include <vector>

#include "cms/ber_reader.h"
#include "cms/recipient_info.h"
#include "mime/limit.h"

namespace p11mime::cms {

inline constexpr std::size_t kMaxRecipientBytes = 8 * 1024 * 1024;  ///< of all RecipientInfos in one message
inline constexpr std::size_t kMaxAttributeBytes = 256 * 1024;       ///< of one set of attributes

/// RecipientList reads the OriginatorInfo, which is dropped, and the RecipientInfos of a structure (RFC 5652 section
/// 6.1). What they encrypt shows only behind them, so they are parsed once its size is known.
class RecipientList {
  public:
    /// Throws Error(malformed), also for more than kMaxRecipients.
    explicit RecipientList(BerReader& reader);

    /// entries parses them; `content_key_size` as read_recipient_info() has it.
    std::vector<RecipientEntry> entries(std::optional<std::size_t> content_key_size) const;

  private:
    std::vector<Bytes> values_;
};

/// too_many_recipients is the error for more than kMaxRecipients.
LimitExceeded too_many_recipients();

/// skip_attributes drops a SET OF Attribute under an implicit tag, if it is there; what it says is not relied on.
void skip_attributes(BerReader& reader, Byte identifier);

}  // namespace p11mime::cms
