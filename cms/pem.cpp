#include "cms/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "cms/openssl_error.h"

namespace p11mime::cms {

void require_pem_end(const char* what) {
    const unsigned long code = ERR_peek_last_error();
    require(ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE, what);
    ERR_clear_error();
}

}  // namespace p11mime::cms
