#include "cms/digested_data.h"

namespace p11mime::cms {

DigestedDataReader::DigestedDataReader(BerReader& reader) : reader_(reader) {
    enter_structure(reader_, "DigestedData");
    const auto identifier = read_algorithm(reader_, "digest algorithm");
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
