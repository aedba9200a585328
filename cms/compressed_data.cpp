#include "cms/compressed_data.h"

#include <fmt/format.h>

#include "cms/algorithms.h"
#include "cms/asn1.h"

namespace p11mime::cms {

CompressedDataReader::CompressedDataReader(BerReader& reader) : reader_(reader) {
    enter_structure(reader_, "CompressedData");
    const Bytes der = reader_.element(tag::kSequence, kMaxElementBytes, "compression algorithm");
    const auto identifier = asn1::decode<asn1::AlgorithmHandle>(der, d2i_X509_ALGOR, "malformed compression algorithm");
    algorithm_name_ = algorithm_text(identifier.get());
    supported_ = find_algorithm(AlgorithmKind::compression, identifier.get()) != nullptr;
    encapsulated_.emplace(reader_);
}

Source& CompressedDataReader::compressed() {
    if (!supported_) throw Error(ErrorKind::malformed, fmt::format("unsupported algorithm {}", algorithm_name_));
    return require_content(*encapsulated_);
}

void CompressedDataReader::finish() {
    encapsulated_->finish();
    reader_.leave();
}

}  // namespace p11mime::cms
