#include "batch.hpp"

extern "C" {

sg_batch *sg_batch_create(void) { return new sg_batch(); }
void sg_batch_destroy(sg_batch *batch) { delete batch; }
void sg_batch_clear(sg_batch *batch) { batch->clear(); }
size_t sg_batch_count(const sg_batch *batch) { return batch->records.size(); }
sg_record *sg_batch_records(sg_batch *batch) { return batch->records.data(); }
const sg_customer *sg_batch_customers(const sg_batch *batch) { return batch->customers.data(); }

}
