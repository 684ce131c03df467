/* Placeholder removed by the first source of this folder. */ typedef int cot_ml_empty;
