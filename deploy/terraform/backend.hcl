# State in the lab's own object store; for AWS, leave out everything but bucket and region.
bucket                      = "terraform-state"
region                      = "us-east-1"
use_lockfile                = true
use_path_style              = true
skip_credentials_validation = true
skip_metadata_api_check     = true
skip_region_validation      = true
skip_requesting_account_id  = true
skip_s3_checksum            = true
endpoints                   = { s3 = "http://127.0.0.1:9200" }
