#include "cms/digested_data.h"

#include "cms/asn1.h"

namespace p11mime::cms {

DigestedDataReader::DigestedDataReader(BerReader& reader) : reader_(reader) {
    enter_structure(reader_, "DigestedData");
    const Bytes der = reader_.element(tag::kSequence, kMaxElementBytes, "digest algorithm");
    const auto identifier = asn1::decode<asn1::AlgorithmHandle>(der, d2i_X509_ALGOR, "malformed digest algorithm");
    algorithm_name_ = algorithm_text(identifier.get());
    const Algorithm* row = find_algorithm(AlgorithmKind::digest, identifier.get());
    if (row != nullptr && row->hash) algorithm_ = row;
    encapsulated_.emplace(reader_);
}

void DigestedDataReader::finish() {
    encapsulated_->finish();
    digest_ = read_octets(reader_, "digest");
    reader_.leave();
}

}  // namespace p11mime::cms
