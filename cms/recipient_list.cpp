#include "cms/recipient_list.h"

#include <fmt/format.h>

namespace p11mime::cms {

LimitExceeded too_many_recipients() {
    return LimitExceeded(fmt::format("malformed CMS: more than {} recipients", kMaxRecipients));
}

RecipientList::RecipientList(BerReader& reader) {
    if (reader.next_is(tag::context(0, true))) {
        reader.enter(tag::context(0, true), "originatorInfo");
        reader.skip_to_end();
        reader.leave();
    }
    std::size_t total = 0;
    reader.enter(tag::kSet, "recipientInfos");
    while (!reader.at_end()) {
        values_.push_back(reader.element(kMaxElementBytes, "RecipientInfo"));
        total += values_.back().size();
        if (values_.size() > kMaxRecipients) throw too_many_recipients();
        if (total > kMaxRecipientBytes)
            throw LimitExceeded(fmt::format("malformed CMS: RecipientInfos of more than {} bytes", kMaxRecipientBytes));
    }
    reader.leave();
}

std::vector<RecipientEntry> RecipientList::entries(std::optional<std::size_t> content_key_size) const {
    std::vector<RecipientEntry> entries;
    for (const Bytes& value : values_)
        for (RecipientEntry& entry : read_recipient_info(value, content_key_size)) {
            if (entries.size() == kMaxRecipients) throw too_many_recipients();
            entries.push_back(std::move(entry));
        }
    return entries;
}

void skip_attributes(BerReader& reader, Byte identifier) {
    if (reader.next_is(identifier)) reader.element(kMaxAttributeBytes, "set of attributes");
}

}  // namespace p11mime::cms
